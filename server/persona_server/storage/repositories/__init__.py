"""One repository per resource, each made for one tenant; its statements are compiled once."""
