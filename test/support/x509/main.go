// Verifies certificates as Go programs do, for example Linkerd's identity service and the API server.
//
//	main <roots.pem> <intermediates.pem> <leaf.pem> <dns name> [any-depth]
//
// The first three arguments are files with certificates. The program fails if a leaf has no valid chain to a root, or
// does not match the DNS name. It also fails if an intermediate is not a valid issuer for Linkerd: a CA with an ECDSA
// P-256 key that may sign certificates. Without any-depth, the path length of each intermediate must be 0, so that it
// cannot sign CA certificates.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func main() {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	for _, certificate := range read(os.Args[1]) {
		roots.AddCert(certificate)
	}
	for _, certificate := range read(os.Args[2]) {
		key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
		if !ok || key.Curve != elliptic.P256() || !certificate.IsCA || !certificate.BasicConstraintsValid {
			fail(fmt.Errorf("%s is not a CA with a P-256 key", certificate.Subject))
		}
		if certificate.KeyUsage&x509.KeyUsageCertSign == 0 {
			fail(fmt.Errorf("%s cannot sign certificates", certificate.Subject))
		}
		if len(os.Args) == 5 && (certificate.MaxPathLen != 0 || !certificate.MaxPathLenZero) {
			fail(fmt.Errorf("%s can sign CA certificates", certificate.Subject))
		}
		intermediates.AddCert(certificate)
	}
	for _, leaf := range read(os.Args[3]) {
		options := x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: os.Args[4], KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		if _, err := leaf.Verify(options); err != nil {
			fail(err)
		}
	}
}

func read(path string) []*x509.Certificate {
	rest, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			fail(err)
		}
		certificates = append(certificates, certificate)
	}
	return certificates
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
