"""
The conformance kit for plugins of warpbeam.
"""
