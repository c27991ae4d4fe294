"""Maintenance schedules, care items, campaigns and readings: data files and their reader."""

from dtc_knowledge.maintenance.check import count, verify
from dtc_knowledge.maintenance.files import MaintenancePlans, read_plans, shipped_plans
from dtc_knowledge.maintenance.readings import shipped_readings

__all__ = ["MaintenancePlans", "count", "read_plans", "shipped_plans", "shipped_readings", "verify"]
