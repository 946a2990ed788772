"""Arithmetic and style that some teams want to hold themselves to."""
