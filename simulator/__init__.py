"""Vehicles with physics and developing faults -> CAN frames, for tests and demos; the pipeline never reads its labels.

One drive goes this way, each step from the spec's seed and without a clock:

    drive_spec        what to simulate, and what comes out
    drive_cycle       speed, slope and position          faults  which fault, from when, how bad
    petrol, electric, truck   the physics, over road_load, engine_phases, cooling and low_voltage -> Trace
    can_encoding      Trace -> frames by templates/dbc/*.dbc
    obd_traffic, j1939_traffic   what the vehicle says of its faults (engine_diagnosis decides when)
    drive             all of it: `simulate_drive`
    fleet             many vehicles and a folder of logs  write_samples  the folder sample_can_logs/
"""
