using System;
using System.Runtime.InteropServices;
using System.Text;

namespace VdiHost
{
    internal sealed unsafe class Linux : Platform
    {
        private const int NoAccess = 0;
        private const int ReadAndWrite = 3;
        private const int PrivateAndAnonymous = 0x22;
        private const int NoReserve = 0x4000;
        private const int ResolveAll = 2;
        private const int Interrupted = 4;
        private static readonly int[] SignalsOfCrashes = { 4, 6, 7, 8, 11 };

        public override string Name
        {
            get { return "linux"; }
        }

        // Mono would print its own state, and end otherwise than the library does; .NET passes on what is not its own.
        public override void LeaveCrashesAlone()
        {
            if (Type.GetType("Mono.Runtime") == null)
            {
                return;
            }
            foreach (int number in SignalsOfCrashes)
            {
                signal(number, IntPtr.Zero);
            }
        }

        public override IOutput TakeStandardOutput()
        {
            int kept = dup(1);
            dup2(2, 1);
            return new Output(kept);
        }

        public override void EndProcess()
        {
            _exit(0);
        }

        public override void SetVariable(string name, string value)
        {
            setenv(Text(name), Text(value), 1);
        }

        public override void ShareWithAllAccounts()
        {
            umask(0);
        }

        public override IntPtr LoadLibrary(string path, out string reason)
        {
            IntPtr loaded = dlopen(Text(path), ResolveAll);
            reason = loaded == IntPtr.Zero ? Marshal.PtrToStringAnsi(dlerror()) : null;
            return loaded;
        }

        public override IntPtr FindSymbol(IntPtr library, string name)
        {
            return dlsym(library, Text(name));
        }

        public override ulong Map(ulong address, ulong size, bool isAccessible)
        {
            int protection = isAccessible ? ReadAndWrite : NoAccess;
            int flags = PrivateAndAnonymous | (isAccessible ? 0 : NoReserve);
            ulong mapped = mmap(address, size, protection, flags, -1, 0);
            return mapped == ulong.MaxValue ? 0 : mapped;
        }

        public override bool CopyOut(ulong address, byte[] to)
        {
            fixed (byte* here = to)
            {
                Span there = new Span(address, to.Length), inBuffer = new Span((ulong)here, to.Length);
                return process_vm_readv(getpid(), &inBuffer, 1, &there, 1, 0) == to.Length;
            }
        }

        public override bool CopyIn(ulong address, byte[] from)
        {
            fixed (byte* here = from)
            {
                Span there = new Span(address, from.Length), inBuffer = new Span((ulong)here, from.Length);
                return process_vm_writev(getpid(), &inBuffer, 1, &there, 1, 0) == from.Length;
            }
        }

        public override ulong StaticData()
        {
            return (ulong)FindSymbol(IntPtr.Zero, "environ");
        }

        private static byte[] Text(string text)
        {
            return Encoding.UTF8.GetBytes(text + "\0");
        }

        // A struct iovec.
        [StructLayout(LayoutKind.Sequential)]
        private struct Span
        {
            private readonly ulong start;
            private readonly ulong size;

            public Span(ulong start, int size)
            {
                this.start = start;
                this.size = (ulong)size;
            }
        }

        private sealed class Output : IOutput
        {
            private readonly int descriptor;

            public Output(int descriptor)
            {
                this.descriptor = descriptor;
            }

            public bool Write(byte[] line)
            {
                fixed (byte* start = line)
                {
                    for (long done = 0; done < line.Length;)
                    {
                        long written = write(descriptor, start + done, (ulong)(line.Length - done));
                        if (written < 0 && Marshal.GetLastWin32Error() != Interrupted)
                        {
                            return false;
                        }
                        done += Math.Max(written, 0);
                    }
                }
                return true;
            }
        }

        [DllImport("libc")]
        private static extern IntPtr signal(int number, IntPtr handler);

        [DllImport("libc")]
        private static extern int dup(int descriptor);

        [DllImport("libc")]
        private static extern int dup2(int from, int to);

        [DllImport("libc", SetLastError = true)]
        private static extern long write(int descriptor, byte* data, ulong size);

        [DllImport("libc")]
        private static extern void _exit(int code);

        [DllImport("libc")]
        private static extern int setenv(byte[] name, byte[] value, int overwrite);

        [DllImport("libc")]
        private static extern uint umask(uint mask);

        [DllImport("libc")]
        private static extern int getpid();

        [DllImport("libc")]
        private static extern ulong mmap(
            ulong address, ulong size, int protection, int flags, int descriptor, long offset);

        [DllImport("libc")]
        private static extern long process_vm_readv(
            int process, Span* here, ulong spansHere, Span* there, ulong spansThere, ulong flags);

        [DllImport("libc")]
        private static extern long process_vm_writev(
            int process, Span* here, ulong spansHere, Span* there, ulong spansThere, ulong flags);

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlopen(byte[] path, int flags);

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlsym(IntPtr library, byte[] name);

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlerror();
    }
}
