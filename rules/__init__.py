"""The rule language, its engine, its tests; packs/*.yaml are the shipped rules."""
