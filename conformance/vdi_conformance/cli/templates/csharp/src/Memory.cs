// The memory of this process, as the suite looks at it. What cannot be touched is refused, and never ends the process:
// the operating system copies, and says where it cannot.
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace VdiHost
{
    // Addresses of this process that are in no set, one in each kind of memory.
    internal sealed class Outside
    {
        public readonly ulong Stack;
        public readonly ulong Heap = (ulong)Marshal.AllocHGlobal(256);
        public readonly ulong Data = Platform.Current.StaticData();
        public readonly ulong Unmapped = Memory.Reserve(65536, 0);

        // The address is in the stack of a method that does not return.
        public Outside(ulong stack)
        {
            Stack = stack;
        }
    }

    internal static class Memory
    {
        private const int Portion = 1 << 20;
        private const int PatternSize = 4096;
        private const int DigestSize = 32;

        public static ulong Allocate(long size)
        {
            return Mapped(0, size, true);
        }

        // Reserve address space without access, at an address where that is given and free.
        public static ulong Reserve(long size, ulong address)
        {
            return Mapped(address, size, false);
        }

        public static byte[] Read(ulong address, int size)
        {
            var data = new byte[size];
            if (!IsInRange(address, size) || !Platform.Current.CopyOut(address, data))
            {
                throw Fault(address, size, "read");
            }
            return data;
        }

        public static void Write(ulong address, byte[] data)
        {
            if (!IsInRange(address, data.Length) || !Platform.Current.CopyIn(address, data))
            {
                throw Fault(address, data.Length, "written");
            }
        }

        // Write the bytes that follow from a seed, whose decimal digits these are.
        public static void Fill(ulong address, long size, string seed)
        {
            byte[] pattern = PatternOf(seed);
            ForEachPortion(address, size, (place, done, part) => Write(place, Contents(pattern, done, part)));
        }

        public static byte[] Digest(ulong address, long size)
        {
            return DigestOfPortions(address, size, (place, done, part) => Read(place, part));
        }

        // Write memory into a file, which is made where there is none.
        public static byte[] Save(ulong address, long size, string path, long offset)
        {
            using (FileStream file = Opened(path, offset, FileMode.OpenOrCreate, FileAccess.Write))
            {
                return DigestOfPortions(address, size, (place, done, part) =>
                {
                    byte[] data = Read(place, part);
                    WithFile(path, () =>
                    {
                        file.Write(data, 0, part);
                        file.Flush();
                        return 0;
                    });
                    return data;
                });
            }
        }

        public static byte[] Load(ulong address, long size, string path, long offset)
        {
            using (FileStream file = Opened(path, offset, FileMode.Open, FileAccess.Read))
            {
                return DigestOfPortions(address, size, (place, done, part) =>
                {
                    byte[] data = ReadFrom(file, path, part);
                    Write(place, data);
                    return data;
                });
            }
        }

        private static ulong Mapped(ulong address, long size, bool isAccessible)
        {
            ulong found = Platform.Current.Map(address, (ulong)size, isAccessible);
            if (found == 0)
            {
                throw new Refused(ErrorCode.MemoryFault, "there is no room for " + size + " bytes in this process");
            }
            return found;
        }

        private static bool IsInRange(ulong address, long size)
        {
            return size == 0 || (ulong)size - 1 <= ulong.MaxValue - address;
        }

        private static Refused Fault(ulong address, long size, string verb)
        {
            string sentence = "the " + size + " bytes at " + Hexadecimal.Of(address) + " cannot all be " + verb;
            return new Refused(ErrorCode.MemoryFault, sentence);
        }

        // Call `each` with the address of every portion, with what was done before, and with its size.
        private static void ForEachPortion(ulong address, long size, Action<ulong, long, int> each)
        {
            if (!IsInRange(address, size))
            {
                throw Fault(address, size, "touched");
            }
            for (long done = 0; done < size;)
            {
                var part = (int)Math.Min(Portion, size - done);
                each(address + (ulong)done, done, part);
                done += part;
            }
        }

        private static byte[] DigestOfPortions(ulong address, long size, Func<ulong, long, int, byte[]> portion)
        {
            using (SHA256 running = SHA256.Create())
            {
                ForEachPortion(address, size, (place, done, part) =>
                {
                    running.TransformBlock(portion(place, done, part), 0, part, null, 0);
                });
                running.TransformFinalBlock(new byte[0], 0, 0);
                return running.Hash;
            }
        }

        // The 4096 bytes that contents are made of: block i has the digest of the text "seed:i".
        private static byte[] PatternOf(string seed)
        {
            var pattern = new List<byte>(PatternSize);
            using (SHA256 sha = SHA256.Create())
            {
                for (int block = 0; block < PatternSize / DigestSize; block++)
                {
                    pattern.AddRange(sha.ComputeHash(Encoding.ASCII.GetBytes(seed + ":" + block)));
                }
            }
            return pattern.ToArray();
        }

        // The pattern again and again; the first 8 bytes of repetition r, a little-endian number, are combined with r.
        private static byte[] Contents(byte[] pattern, long done, int size)
        {
            var contents = new byte[size];
            for (int start = 0; start < size; start += PatternSize)
            {
                Array.Copy(pattern, 0, contents, start, Math.Min(PatternSize, size - start));
                long repetition = (done + start) / PatternSize;
                for (int place = 0; place < 8 && start + place < size; place++)
                {
                    contents[start + place] ^= (byte)(repetition >> (8 * place));
                }
            }
            return contents;
        }

        private static FileStream Opened(string path, long offset, FileMode mode, FileAccess access)
        {
            return WithFile(path, () =>
            {
                var file = new FileStream(path, mode, access, FileShare.ReadWrite | FileShare.Delete);
                file.Position = offset;
                return file;
            });
        }

        private static byte[] ReadFrom(FileStream file, string path, int size)
        {
            var data = new byte[size];
            for (int count = 0; count < size;)
            {
                int read = WithFile(path, () => file.Read(data, count, size - count));
                if (read == 0)
                {
                    throw new Refused(ErrorCode.InvalidParams, path + " ends before that");
                }
                count += read;
            }
            return data;
        }

        private static T WithFile<T>(string path, Func<T> use)
        {
            try
            {
                return use();
            }
            catch (Exception error) when (
                error is IOException || error is UnauthorizedAccessException
                || error is ArgumentException || error is NotSupportedException)
            {
                throw new Refused(ErrorCode.InvalidParams, path + " cannot be used: " + error.Message);
            }
        }
    }
}
