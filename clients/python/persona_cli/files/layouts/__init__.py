"""From rows of any layout to personas, with nothing of them lost."""
