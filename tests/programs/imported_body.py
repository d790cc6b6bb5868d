import imported

if imported.callback:
    for item in (1, 2):
        imported.callback(
            item)
