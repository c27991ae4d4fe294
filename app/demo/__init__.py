"""The live demonstration: a simulated fleet, a broker, the service, dealers who answer, and the story of what happens.

runner     starts and ends everything         children   processes that end with their parent, whatever happens to it
cars       which cars, where, with what fault  drives     a drive as the messages that its car publishes (own process)
fleet      the cars as MQTT clients (process)  dealer     a workshop that receives, verifies and answers (three processes)
setting    keys, tables and files of one run   story      events in plain sentences
owner      owners who answer behind links (process)  care       maintenance that is due
stories    five orders from beginning to end         story_sources  what is known of each
evaluation what was found, against the labels  baselines  what is normal for the cars, from their earlier life
"""
