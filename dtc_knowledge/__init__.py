"""What trouble codes mean, which root causes they point to, and what to do: data files and their reader.

- `codes/*.csv`, `systems.csv`, `sources.csv`: what a code says by itself (`code_table`).
- `patterns/*.yaml`: worked patterns, from signs to causes, checks and urgency (`pattern`, `matching`, `urgency`).
- `operations.yaml`, `parts.yaml`: what a repair takes (`planning`).

`loading.load_knowledge` reads and checks them all; `diagnosis.FaultKnowledge` answers. A new pattern is an entry in a file and
a worked example in the tests; no code changes.
"""
