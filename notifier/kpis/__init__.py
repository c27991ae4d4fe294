"""Key figures of the work: what dealers, owners and deliveries did, by week, region and dealer, and how right each source is."""
