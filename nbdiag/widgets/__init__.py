"""One anywidget class a file; each shows one result."""
