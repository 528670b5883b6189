"""What an operator does with the file of a database: back it up, restore it, have it looked at."""
