"""From the rows of a file to answers: the layouts in which people hold them."""
