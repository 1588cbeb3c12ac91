// Command go-peer is a plain go-libp2p-kad-dht server for the interop test. It reads commands from
// stdin, one per line, and answers each with a line on stdout:
//
//	peers                 connected peers
//	get <key in hex>      the value in hex, or "none"
//	held                  the keys in hex of the values in its datastore
package main

import (
	"bufio"
	"context"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	dssync "github.com/ipfs/go-datastore/sync"
	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

const timeout = 20 * time.Second

// validator accepts everything: Waggle's own rules are tested elsewhere. It selects the longest
// value, so that it takes no joined dictionary for worse than a part of it.
type validator struct{}

func (validator) Validate(string, []byte) error { return nil }

func (validator) Select(_ string, values [][]byte) (int, error) {
	if len(values) == 0 {
		return 0, errors.New("no values")
	}
	best := 0
	for i, value := range values {
		if len(value) > len(values[best]) {
			best = i
		}
	}
	return best, nil
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, initial []string) error {
	host, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay())
	if err != nil {
		return err
	}
	defer host.Close()
	store := dssync.MutexWrap(ds.NewMapDatastore())
	node, err := dht.New(host,
		dht.Mode(dht.ModeServer),
		dht.ProtocolPrefix("/waggle"),
		dht.NamespacedValidator("waggle", validator{}),
		dht.Datastore(store),
	)
	if err != nil {
		return err
	}
	defer node.Close()
	for _, address := range initial {
		if err := connect(ctx, host.Connect, address); err != nil {
			return err
		}
	}
	if err := node.Bootstrap(ctx); err != nil {
		return err
	}
	fmt.Printf("%s/p2p/%s\n", host.Addrs()[0], host.ID())

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 1 && fields[0] == "peers":
			fmt.Println(len(host.Network().Peers()))
		case len(fields) == 1 && fields[0] == "held":
			keys, err := held(ctx, store)
			if err != nil {
				return err
			}
			fmt.Println(keys)
		case len(fields) == 2 && fields[0] == "get":
			fmt.Println(get(ctx, node, fields[1]))
		default:
			return fmt.Errorf("unknown command %q", lines.Text())
		}
	}
	return lines.Err()
}

func connect(ctx context.Context, dial func(context.Context, peer.AddrInfo) error, address string) error {
	parsed, err := multiaddr.NewMultiaddr(address)
	if err != nil {
		return err
	}
	info, err := peer.AddrInfoFromP2pAddr(parsed)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return dial(ctx, *info)
}

func get(ctx context.Context, node *dht.IpfsDHT, keyInHex string) string {
	key, err := hex.DecodeString(keyInHex)
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	value, err := node.GetValue(ctx, string(key))
	if err != nil {
		return "none"
	}
	return hex.EncodeToString(value)
}

// held lists the keys of all values. The datastore has them as the last part of its own keys, in base32.
func held(ctx context.Context, store ds.Datastore) (string, error) {
	results, err := store.Query(ctx, query.Query{KeysOnly: true})
	if err != nil {
		return "", err
	}
	defer results.Close()
	var keys []string
	for result := range results.Next() {
		if result.Error != nil {
			return "", result.Error
		}
		if strings.HasPrefix(result.Key, "/providers") {
			continue
		}
		key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(path.Base(result.Key))
		if err != nil {
			return "", err
		}
		keys = append(keys, hex.EncodeToString(key))
	}
	return strings.Join(keys, " "), nil
}
