"""Finetune Studio's pure core: values in, values out. Importing it imports nothing else."""
