"""What stands in for what is not there: nodes, kubelets, provisioners, webhooks and operators, against a real API server.

Paper only says Ready; it says so no earlier than the real thing could.
"""
