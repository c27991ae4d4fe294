"""Maintenance schedules, care items and campaigns: data files and their reader."""

from dtc_knowledge.maintenance.files import MaintenancePlans, read_plans, shipped_plans

__all__ = ["MaintenancePlans", "read_plans", "shipped_plans"]
