"""The command `watchkeeper`: one file a command, imported only when it is called."""
