"""Playing remediations with the Ansible that is installed beside us."""
