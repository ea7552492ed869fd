"""The local merge held to the real API server: random histories, random desired objects, one verdict each.

python -m tests.fidelity --cases 2000 --seed 1 [--kubeconfig F]
"""
