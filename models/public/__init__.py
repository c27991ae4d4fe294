"""Models of public data sets: how good the way of building models is, against figures that others have published."""
