"""Reads and validates data files (rules, profiles, knowledge, dealers): every error names file, line and mend."""

from datafiles.csv_file import read_csv
from datafiles.yaml_file import Document, load_yaml, parse_yaml, validate

__all__ = ["Document", "load_yaml", "parse_yaml", "read_csv", "validate"]
