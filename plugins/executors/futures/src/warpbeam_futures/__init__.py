"""
Runs warpbeam tasks on any concurrent.futures executor.
"""
