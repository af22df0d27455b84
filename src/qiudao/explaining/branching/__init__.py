"""Branches and kinks: where a derivative is one-sided, chosen by convention, or about to change."""
