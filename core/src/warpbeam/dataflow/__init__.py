"""
Futures, files, graph and the life of a task; imports nothing by itself, since workers import `warpbeam.dataflow.files`.
"""
