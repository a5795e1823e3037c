"""
Reads configuration files of warpbeam.
"""
