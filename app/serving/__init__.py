"""How gunicorn serves the WSGI application: an event loop reads requests, the application gets whole ones."""
