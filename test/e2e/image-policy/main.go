// The verifier of skopeo, podman and CRI-O by itself: what their policy.json says of an image in a registry.
// Debian builds skopeo without it for Sigstore signatures, so the end-to-end tests build this.
package main

import (
	"context"
	"fmt"
	"os"

	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/image"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: image-policy POLICY.JSON REGISTRIES.D HOST/REPOSITORY:TAG")
		os.Exit(2)
	}
	if err := allowed(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func allowed(ctx context.Context, policyPath, registriesPath, name string) error {
	policy, err := signature.NewPolicyFromFile(policyPath)
	if err != nil {
		return err
	}
	verifier, err := signature.NewPolicyContext(policy)
	if err != nil {
		return err
	}
	defer verifier.Destroy()
	reference, err := docker.ParseReference("//" + name)
	if err != nil {
		return err
	}
	source, err := reference.NewImageSource(ctx, &types.SystemContext{
		RegistriesDirPath:           registriesPath,
		DockerInsecureSkipTLSVerify: types.OptionalBoolTrue,
	})
	if err != nil {
		return err
	}
	defer source.Close()
	ok, err := verifier.IsRunningImageAllowed(ctx, image.UnparsedInstance(source, nil))
	if err == nil && !ok {
		err = fmt.Errorf("not allowed, without a reason")
	}
	return err
}
