"""
The warpbeam command.
"""
