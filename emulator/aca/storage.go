package aca

// EnvironmentStorage is a file share that volumes of apps are of:
// Microsoft.App/managedEnvironments/storages.
type EnvironmentStorage struct {
	ID            string                       `json:"id,omitempty" aca:"readonly"`
	Name          string                       `json:"name,omitempty"`
	Type          string                       `json:"type,omitempty"`
	SystemData    *SystemData                  `json:"systemData,omitempty" aca:"readonly"`
	ResourceGroup string                       `json:"resourceGroup,omitempty"`
	Properties    EnvironmentStorageProperties `json:"properties"`
}

// EnvironmentStorageProperties hold one of the two kinds of share.
type EnvironmentStorageProperties struct {
	ProvisioningState string            `json:"provisioningState,omitempty" aca:"readonly"`
	DeploymentErrors  string            `json:"deploymentErrors,omitempty" aca:"readonly"`
	AzureFile         *AzureFileStorage `json:"azureFile,omitempty"`
	NfsAzureFile      *NfsStorage       `json:"nfsAzureFile,omitempty"`
}

// AzureFileStorage is a share over SMB. AccountKey is never answered.
type AzureFileStorage struct {
	AccountName               string         `json:"accountName,omitempty"`
	AccountKey                string         `json:"accountKey,omitempty"`
	AccountKeyVaultProperties map[string]any `json:"accountKeyVaultProperties,omitempty"`
	AccessMode                string         `json:"accessMode,omitempty" enum:"ReadOnly|ReadWrite"`
	ShareName                 string         `json:"shareName,omitempty"`
}

// NfsStorage is a share over NFS.
type NfsStorage struct {
	Server     string `json:"server,omitempty"`
	AccessMode string `json:"accessMode,omitempty" enum:"ReadOnly|ReadWrite"`
	ShareName  string `json:"shareName,omitempty"`
}

// ReadOnly says that apps may not write to the storage.
func (s *EnvironmentStorage) ReadOnly() bool {
	p := s.Properties
	return p.AzureFile != nil && p.AzureFile.AccessMode == "ReadOnly" || p.NfsAzureFile != nil && p.NfsAzureFile.AccessMode == "ReadOnly"
}

// Validate reports what cannot be a storage. Nobody is asked whether account,
// key and share exist; neither does Azure, before a replica mounts it.
func (s *EnvironmentStorage) Validate() []Problem {
	var ps problems
	if !storageNameRule.ok(s.Name) {
		ps.errorf("name", codeInvalidValue, "%q is not the name of a storage", clip(s.Name)).
			Hint = "at most 32 characters: lower case letters, digits and dashes, beginning with a letter, no --"
	}
	p := s.Properties
	switch {
	case p.AzureFile == nil && p.NfsAzureFile == nil:
		ps.errorf("properties", codeInvalidValue, "the storage %q has neither azureFile nor nfsAzureFile", clip(s.Name))
	case p.AzureFile != nil && p.NfsAzureFile != nil:
		ps.errorf("properties", codeInvalidValue, "the storage %q has both azureFile and nfsAzureFile", clip(s.Name)).Hint = "keep one of them"
	}
	return ps
}
