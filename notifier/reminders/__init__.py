"""Care reminders: what of a vehicle's maintenance plan is due when, and the visit that does it.

`usage_meter` makes days of use from samples, `lifecycle` lets one vehicle's care advance day by day (a pure fold, so no cut of the
days matters), `visits` makes recommendations for the ordinary orders, `completions` reads what was done from them.
"""
