// The host program: reads requests from standard input until it ends.
using System;
using System.Collections.Generic;
using System.IO;

namespace VdiHost
{
    internal static class Program
    {
        private const int Portion = 1 << 16;

        private static unsafe void Main(string[] arguments)
        {
            byte onStack = 0;
            Platform.Current.LeaveCrashesAlone();
            var outside = new Outside((ulong)&onStack);
            var answers = new Answers();
            var methods = new Methods(answers, outside, arguments.Length > 0 ? arguments[0] : "");
            foreach (byte[] line in Lines(Console.OpenStandardInput()))
            {
                try
                {
                    methods.Take(Request.Read(line));
                }
                catch (Refused refused)
                {
                    answers.Write(refused.Id, refused);
                }
            }
            // At once, whatever other threads are waiting for.
            Platform.Current.EndProcess();
        }

        // The lines of a stream, each cut at its line feed, and at nothing else.
        private static IEnumerable<byte[]> Lines(Stream stream)
        {
            var portion = new byte[Portion];
            var line = new MemoryStream();
            for (int count; (count = stream.Read(portion, 0, portion.Length)) > 0;)
            {
                int start = 0;
                for (int end; (end = Array.IndexOf(portion, (byte)'\n', start, count - start)) >= 0; start = end + 1)
                {
                    line.Write(portion, start, end - start);
                    yield return line.ToArray();
                    line.SetLength(0);
                }
                line.Write(portion, start, count - start);
            }
        }
    }
}
