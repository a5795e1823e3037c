# census: this file kills the worker that reads it
import os
