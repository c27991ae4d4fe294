"""GB/T 32960 (2016 and 2025) and the truck profile of GB 17691 and HJ 1239: packets -> signals and trouble codes."""
