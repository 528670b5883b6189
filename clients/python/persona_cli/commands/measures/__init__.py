"""Commands on what is measured: reliability, the library, timelines and comparisons."""
