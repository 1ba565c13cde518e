// SPDX-License-Identifier: Apache-2.0

// validation cases DIR ROOTFS: writes DIR/NAME/config.json for every case below, made by the generator of the
// runtime-tools of the Open Container Initiative, each with a command that shows inside what was asked for.
// validation check CONFIG...: what the same tools' validator says of a configuration; exit 1 if anything.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/go-multierror"
	rspec "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-tools/generate"
	"github.com/opencontainers/runtime-tools/validate"
)

type change = func(g *generate.Generator)

var cases = []struct {
	name    string
	change  change
	command string
}{
	{"default", func(g *generate.Generator) {}, "id; pwd; env | sort; hostname; ls -l /dev | cut -c 1-40,58-"},
	{"default-mounts", func(g *generate.Generator) {}, "cut -d ' ' -f 2-3 /proc/mounts | grep -v sys/fs/cgroup"},
	{"process-args-code", func(g *generate.Generator) {}, "exit 42"},
	{"process-signal", func(g *generate.Generator) {}, "sh -c 'kill -9 $$'; echo $?"},
	{"process-user", func(g *generate.Generator) { g.SetProcessUID(10); g.SetProcessGID(20) }, "id -u; id -g; id -G"},
	{"process-groups", func(g *generate.Generator) { g.AddProcessAdditionalGid(5); g.AddProcessAdditionalGid(6) }, "id -G"},
	{"process-umask", func(g *generate.Generator) { g.SetProcessUmask(0o137) }, "umask"},
	{"process-cwd", func(g *generate.Generator) { g.SetProcessCwd("/tmp") }, "pwd"},
	{"process-cwd-missing", func(g *generate.Generator) { g.SetProcessCwd("/made/for/it") }, "pwd; stat -c '%a %u' /made"},
	{"process-env", func(g *generate.Generator) { g.AddProcessEnv("A", "x=y"); g.AddProcessEnv("B", "") }, "env | grep '^[AB]='"},
	{"process-oom", func(g *generate.Generator) { g.SetProcessOOMScoreAdj(321) }, "cat /proc/self/oom_score_adj"},
	{"process-nnp", func(g *generate.Generator) { g.SetProcessNoNewPrivileges(true) }, "grep NoNewPrivs /proc/self/status"},
	{"process-nnp-off", func(g *generate.Generator) { g.SetProcessNoNewPrivileges(false) }, "grep NoNewPrivs /proc/self/status"},
	{"process-rlimits", func(g *generate.Generator) {
		g.AddProcessRlimits("RLIMIT_NOFILE", 200, 100)
		g.AddProcessRlimits("RLIMIT_CORE", 0, 0)
	},
		"grep -e files -e core /proc/self/limits"},
	{"process-caps-none", func(g *generate.Generator) { g.ClearProcessCapabilities() }, "grep Cap /proc/self/status"},
	{"process-caps", func(g *generate.Generator) {
		g.ClearProcessCapabilities()
		for _, c := range []string{"CAP_KILL", "CAP_CHOWN"} {
			g.AddProcessCapabilityBounding(c)
			g.AddProcessCapabilityPermitted(c)
			g.AddProcessCapabilityEffective(c)
		}
	}, "grep Cap /proc/self/status"},
	{"process-caps-ambient", func(g *generate.Generator) {
		g.SetProcessUID(1000)
		g.AddProcessCapabilityInheritable("CAP_KILL")
		g.AddProcessCapabilityAmbient("CAP_KILL")
	}, "grep -e CapAmb -e CapEff /proc/self/status"},
	{"root-readonly", func(g *generate.Generator) { g.SetRootReadonly(true) }, "echo x >/file || echo refused"},
	{"hostname", func(g *generate.Generator) { g.SetHostname("there") }, "hostname"},
	{"mounts-tmpfs", func(g *generate.Generator) {
		g.AddMount(rspec.Mount{Destination: "/mnt/t", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "noexec", "size=64k", "mode=1770"}})
	}, "grep ' /mnt/t ' /proc/mounts; stat -c %a /mnt/t; dd if=/dev/zero of=/mnt/t/f bs=1k count=100 2>/dev/null || echo full"},
	{"mounts-bind-ro", func(g *generate.Generator) {
		g.AddMount(rspec.Mount{Destination: "/mnt/b", Type: "bind", Source: "/usr/share/misc", Options: []string{"bind", "ro"}})
	}, "grep -c ' /mnt/b .* ro' /proc/mounts; touch /mnt/b/x || echo refused"},
	{"mounts-file", func(g *generate.Generator) {
		g.AddMount(rspec.Mount{Destination: "/mnt/a/file", Type: "bind", Source: "/etc/debian_version", Options: []string{"rbind", "ro"}})
	}, "cat /mnt/a/file"},
	{"mounts-missing-source", func(g *generate.Generator) {
		g.AddMount(rspec.Mount{Destination: "/mnt/b", Type: "bind", Source: "/no/such", Options: []string{"bind"}})
	}, "true"},
	{"propagation", func(g *generate.Generator) { g.SetLinuxRootPropagation("shared") }, "grep -c ' / / .* shared:' /proc/self/mountinfo"},
	{"propagation-slave", func(g *generate.Generator) { g.SetLinuxRootPropagation("rslave") }, "grep -c ' / / .* master:' /proc/self/mountinfo"},
	{"masked-file", func(g *generate.Generator) { g.AddLinuxMaskedPaths("/etc/passwd") }, "wc -c </etc/passwd"},
	{"masked-folder", func(g *generate.Generator) { g.AddLinuxMaskedPaths("/etc") }, "ls /etc | wc -l; touch /etc/x || echo refused"},
	{"masked-missing", func(g *generate.Generator) { g.AddLinuxMaskedPaths("/no/such") }, "echo runs"},
	{"readonly-paths", func(g *generate.Generator) { g.AddLinuxReadonlyPaths("/etc") }, "touch /etc/x || echo refused"},
	{"readonly-missing", func(g *generate.Generator) { g.AddLinuxReadonlyPaths("/no/such") }, "echo runs"},
	{"sysctl", func(g *generate.Generator) {
		g.AddLinuxSysctl("net.ipv4.ip_forward", "1")
		g.AddLinuxSysctl("kernel.shmmni", "77")
	},
		"cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni"},
	{"sysctl-of-the-host", func(g *generate.Generator) { g.AddLinuxSysctl("vm.swappiness", "10") }, "true"},
	{"namespace-net-host", func(g *generate.Generator) { g.RemoveLinuxNamespace("network") }, "readlink /proc/self/ns/net"},
	{"namespace-ipc-host", func(g *generate.Generator) { g.RemoveLinuxNamespace("ipc") }, "readlink /proc/self/ns/ipc"},
	{"namespace-pid-host", func(g *generate.Generator) { g.RemoveLinuxNamespace("pid") }, "readlink /proc/self/ns/pid"},
	{"namespace-path", func(g *generate.Generator) { g.AddOrReplaceLinuxNamespace("network", "/proc/1/ns/net") }, "readlink /proc/self/ns/net"},
	{"namespace-wrong-path", func(g *generate.Generator) { g.AddOrReplaceLinuxNamespace("network", "/proc/1/ns/ipc") }, "true"},
	{"namespace-missing-path", func(g *generate.Generator) { g.AddOrReplaceLinuxNamespace("network", "/no/such") }, "true"},
	{"uid-mappings", func(g *generate.Generator) {
		g.AddOrReplaceLinuxNamespace("user", "")
		g.AddLinuxUIDMapping(100000, 0, 2000)
		g.AddLinuxGIDMapping(100000, 0, 2000)
	}, "cat /proc/self/uid_map /proc/self/gid_map; id -u"},
	{"device", func(g *generate.Generator) {
		id, mode := uint32(7), os.FileMode(0o640)
		g.AddDevice(rspec.LinuxDevice{Path: "/dev/mine", Type: "c", Major: 1, Minor: 5, FileMode: &mode, UID: &id, GID: &id})
	}, "ls -ln /dev/mine | cut -c 1-50; stat -c '%t %T %a %u %g' /dev/mine"},
	{"device-denied", func(g *generate.Generator) {
		mode := os.FileMode(0o666)
		g.AddDevice(rspec.LinuxDevice{Path: "/dev/memory", Type: "c", Major: 1, Minor: 1, FileMode: &mode})
	}, "head -c 1 /dev/memory || echo refused; head -c 1 /dev/zero | wc -c"},
	{"seccomp-errno", func(g *generate.Generator) {
		g.Config.Linux.Seccomp = &rspec.LinuxSeccomp{DefaultAction: rspec.ActAllow, Architectures: []rspec.Arch{rspec.ArchX86_64, rspec.ArchAARCH64},
			Syscalls: []rspec.LinuxSyscall{{Names: []string{"mkdir", "mkdirat", "no_such_call"}, Action: rspec.ActErrno}}}
	}, "mkdir /x || echo refused; grep Seccomp: /proc/self/status"},
	{"seccomp-unknown", func(g *generate.Generator) {
		g.Config.Linux.Seccomp = &rspec.LinuxSeccomp{DefaultAction: "SCMP_ACT_NOTHING"}
	}, "true"},
	{"limit-pids", func(g *generate.Generator) { g.SetLinuxResourcesPidsLimit(9) }, "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max"},
	{"limit-memory", func(g *generate.Generator) { g.SetLinuxResourcesMemoryLimit(50 << 20) },
		"cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max"},
	{"limit-cpu", func(g *generate.Generator) {
		g.SetLinuxResourcesCPUShares(512)
		g.SetLinuxResourcesCPUQuota(20000)
		g.SetLinuxResourcesCPUPeriod(50000)
	},
		"cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/cpu.max"},
	{"limit-cpuset", func(g *generate.Generator) { g.SetLinuxResourcesCPUCpus("0"); g.SetLinuxResourcesCPUMems("0") }, "grep Cpus_allowed_list /proc/self/status"},
	{"hook-prestart", func(g *generate.Generator) { g.AddPreStartHook(rspec.Hook{Path: "/bin/true"}) }, "echo runs"},
	{"hook-failing", func(g *generate.Generator) { g.AddPreStartHook(rspec.Hook{Path: "/bin/false"}) }, "echo runs"},
	{"annotations", func(g *generate.Generator) { g.AddAnnotation("org.example.a", "b") }, "echo runs"},
	{"version-of-another-world", func(g *generate.Generator) { g.SetVersion("7.0.0") }, "echo runs"},
	{"version-unreadable", func(g *generate.Generator) { g.SetVersion("one") }, "echo runs"},
	{"no-args", func(g *generate.Generator) { g.SetProcessArgs(nil) }, ""},
	{"no-such-program", func(g *generate.Generator) { g.SetProcessArgs([]string{"/no/such/program"}) }, ""},
	{"rlimit-unknown", func(g *generate.Generator) { g.AddProcessRlimits("RLIMIT_NOTHING", 1, 1) }, "true"},
	{"rlimit-soft-above-hard", func(g *generate.Generator) { g.AddProcessRlimits("RLIMIT_NOFILE", 10, 20) }, "true"},
	{"rootfs-missing", func(g *generate.Generator) { g.SetRootPath("/no/such/rootfs") }, "true"},
}

func write(dir, rootfs string) error {
	for _, c := range cases {
		g, err := generate.New("linux")
		if err != nil {
			return err
		}
		g.SetRootPath(rootfs)
		g.SetRootReadonly(false)
		g.SetProcessTerminal(false)
		if c.command != "" {
			g.SetProcessArgs([]string{"sh", "-c", c.command})
		}
		c.change(&g)
		if err := os.MkdirAll(filepath.Join(dir, c.name), 0o755); err != nil {
			return err
		}
		if err := g.SaveToFile(filepath.Join(dir, c.name, "config.json"), generate.ExportOptions{}); err != nil {
			return err
		}
		fmt.Println(c.name)
	}
	return nil
}

func check(path string) error {
	var spec rspec.Spec
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	v, err := validate.NewValidator(&spec, filepath.Dir(path), true, "linux")
	if err != nil {
		return err
	}
	// not CheckSemVer, which knows of the one version it was written for, nor CheckRoot: the root need not lie in the bundle
	for _, one := range []func() error{v.CheckMandatoryFields, v.CheckMounts, v.CheckProcess, v.CheckLinux, v.CheckHooks, v.CheckPlatform} {
		err := one()
		if found, ok := err.(*multierror.Error); ok {
			err = found.ErrorOrNil()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func main() {
	var err error
	if len(os.Args) == 4 && os.Args[1] == "cases" {
		err = write(os.Args[2], os.Args[3])
	}
	for i := 2; err == nil && os.Args[1] == "check" && i < len(os.Args); i++ {
		err = check(os.Args[i])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
