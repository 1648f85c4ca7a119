"""Which server and database an operation uses: clients, blocks and the embedded server."""
