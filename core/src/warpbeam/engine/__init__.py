"""
What the kernel is put together from; nothing here is for users or plugins.
"""
