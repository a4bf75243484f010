"""Results as stand-alone Bokeh figures."""
