"""What a run kept, as people and files read it: series, tickets, summary, cost."""
