"""Git hosts: who may change a branch, and who may deploy to an environment. GitHub, GitLab and Azure DevOps."""
