// Checks an unpacked evidence bundle with the packages note and tlog of golang.org/x/mod, which check Go's own module log.
//
// usage: notecheck FOLDER VERIFIER-KEY
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type manifest struct {
	Origin      string     `json:"origin"`
	Size        int64      `json:"size"`
	Entries     [][2]int64 `json:"entries"`
	Headers     [][2]int64 `json:"headers"`
	Checkpoints []int64    `json:"checkpoints"`
}

// files reads tiles of height 8 where C2SP tlog-tiles puts them.
type files struct{ folder string }

func (f files) Height() int                               { return 8 }
func (f files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func tree(text string, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin {
		return tlog.Tree{}, errors.New("no checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

func proof(raw []byte, index int64, checkpoint []byte) (tlog.RecordProof, error) {
	head, tail, found := bytes.Cut(raw, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || !bytes.Equal(tail, checkpoint) || len(lines) < 2 || lines[1] != fmt.Sprintf("index %d", index) {
		return nil, errors.New("no proof for this entry")
	}
	var hashes tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			return nil, errors.New("no hash")
		}
		hashes = append(hashes, tlog.Hash(hash))
	}
	return hashes, nil
}

func check(folder, key string) (map[string]int, error) {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			panic(err)
		}
		return data
	}
	var about manifest
	if err := json.Unmarshal(read("bundle.json"), &about); err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	done := map[string]int{}
	var heads []tlog.Tree
	for _, size := range about.Checkpoints {
		opened, err := note.Open(read(fmt.Sprintf("checkpoints/%d", size)), note.VerifierList(verifier))
		if err != nil {
			return nil, fmt.Errorf("checkpoint %d: %w", size, err)
		}
		head, err := tree(opened.Text, about.Origin)
		if err != nil || head.N != size {
			return nil, fmt.Errorf("checkpoint %d: %v", size, err)
		}
		heads = append(heads, head)
		done["checkpoints"]++
	}
	last := heads[len(heads)-1]
	hashes := tlog.TileHashReader(last, files{folder})
	for at, older := range heads {
		for _, newer := range heads[at:] {
			path, err := tlog.ProveTree(newer.N, older.N, hashes)
			if err != nil {
				return nil, fmt.Errorf("%d to %d: %w", older.N, newer.N, err)
			}
			if err := tlog.CheckTree(path, newer.N, newer.Hash, older.N, older.Hash); err != nil {
				return nil, fmt.Errorf("%d to %d: %w", older.N, newer.N, err)
			}
			done["consistency"]++
		}
	}
	for name, ranges := range map[string][][2]int64{"entries": about.Entries, "headers": about.Headers} {
		lines := bytes.Split(bytes.TrimSuffix(read(name+".jsonl"), []byte("\n")), []byte("\n"))
		for _, pair := range ranges {
			for index := pair[0]; index < pair[0]+pair[1]; index++ {
				leaf := tlog.RecordHash(lines[0])
				lines = lines[1:]
				path, err := tlog.ProveRecord(last.N, index, hashes)
				if err != nil {
					return nil, fmt.Errorf("%s, leaf %d: %w", name, index, err)
				}
				if err := tlog.CheckRecord(path, last.N, last.Hash, index, leaf); err != nil {
					return nil, fmt.Errorf("%s, leaf %d: %w", name, index, err)
				}
				done[name]++
				if name == "headers" {
					continue
				}
				raw, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("proofs/%d.tlog-proof", index)))
				if err != nil {
					return nil, err
				}
				path, err = proof(raw, index, read("checkpoint"))
				if err != nil {
					return nil, fmt.Errorf("proof %d: %w", index, err)
				}
				if err := tlog.CheckRecord(path, last.N, last.Hash, index, leaf); err != nil {
					return nil, fmt.Errorf("proof %d: %w", index, err)
				}
				done["proofs"]++
			}
		}
	}
	return done, nil
}

func main() {
	done, err := check(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(done)
}
