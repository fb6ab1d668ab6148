"""How gunicorn serves the WSGI application: an event loop takes the clients, the application gets whole requests."""
