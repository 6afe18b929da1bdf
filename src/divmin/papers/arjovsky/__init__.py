"""Items of this source, in the order of its pages."""
