"""Short trainings with a known diagnosis, by which the findings are judged.

Sick ones carry a planted fault and a proof of it that uses nothing of nbdiag; healthy ones look
frightening and are not. `python -m benchmarks.diagnosis` prints recall and false alarms.
"""

PARTS = tuple(
    """
    sick_loss sick_gradient sick_units sick_weights healthy_plain healthy_odd healthy_settled
    sick_unseen_loss sick_unseen_gradient sick_unseen_layers
    healthy_unseen_nets healthy_unseen_tasks
    sick_fresh_loss sick_fresh_gradient sick_fresh_layers
    healthy_fresh_nets healthy_fresh_loops healthy_fresh_tasks
    sick_outside_loss sick_outside_gradient sick_outside_layers
    healthy_outside_nets healthy_outside_loops healthy_outside_tasks
    sick_beyond sick_beyond_layers healthy_beyond healthy_beyond_tasks
    sick_wider_loss sick_wider_layers sick_wider_weights healthy_wider_nets healthy_wider_loops
    sick_last_loss sick_last_layers healthy_last_nets healthy_last_tasks
    sick_final healthy_final
    sick_blind healthy_blind
    """.split()
)
"""The files that hold the cases.

Rules grew up with those of "dev"; each other split was run once before any was tuned on it.
"""
