"""From what is stored to what is read: a run's trials become cells with centres, intervals, marks and reasons."""
