// From a request to a call: each method of the protocol that a host of a client must have, and a few more.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Newtonsoft.Json.Linq;

namespace VdiHost
{
    // What this process knows: the library, and its objects by the ids that the suite gave them.
    internal sealed class Methods
    {
        private const string ProtocolVersion = "2.0";
        private const string Major = "2";
        private const int MostCopied = 65536;
        private const int MostCalls = 128;
        private const int MostArguments = 8;

        private readonly Answers answers;
        private readonly Outside outside;
        private readonly string path;
        private readonly Labels labels = new Labels();
        private readonly Dictionary<string, Func<Parameters, JObject>> table;

        // What was released stays known, so that the suite can try stale use.
        private readonly ConcurrentDictionary<string, IntPtr> sets = new ConcurrentDictionary<string, IntPtr>();
        private readonly ConcurrentDictionary<string, IntPtr> devices = new ConcurrentDictionary<string, IntPtr>();

        private volatile Library library;

        public Methods(Answers answers, Outside outside, string path)
        {
            this.answers = answers;
            this.outside = outside;
            this.path = path;
            table = new[] { MethodsOfProcess(), MethodsOfSets(), MethodsOfDevices(), MethodsOfMemory() }
                .SelectMany(methods => methods)
                .ToDictionary(method => method.Key, method => method.Value);
        }

        // Run a request on the thread of its label, or here where it has none.
        public void Take(Request request)
        {
            if (request.Label == null)
            {
                Perform(request);
            }
            else
            {
                labels.Run(request.Label, () => Perform(request));
            }
        }

        private void Perform(Request request)
        {
            try
            {
                answers.Write(request.Id, ResultOf(request));
            }
            catch (Refused refused)
            {
                answers.Write(request.Id, refused);
            }
            catch (Exception raised)
            {
                answers.Write(request.Id, new Refused(ErrorCode.AdapterRaised, raised.Message));
            }
        }

        private JObject ResultOf(Request request)
        {
            Func<Parameters, JObject> method;
            if (!table.TryGetValue(request.Method, out method))
            {
                throw new Refused(ErrorCode.MethodNotFound, "this host does not have the method " + request.Method);
            }
            if (library == null && request.Method != "initialize")
            {
                string sentence = "the first request must be initialize, and must succeed";
                throw new Refused(ErrorCode.InvalidRequest, sentence);
            }
            return method(request.Parameters);
        }

        private Dictionary<string, Func<Parameters, JObject>> MethodsOfProcess()
        {
            return new Dictionary<string, Func<Parameters, JObject>>
            {
                { "initialize", Initialize },
                { "calls.concurrently", CallConcurrently },
                { "calls.end_thread", given => Done(() => labels.End(given.Name("label"))) },
                { "process.files", given => new JObject { { "files", new JArray(library.Files()) } } },
                { "native.symbol", FindSymbol },
                { "native.call", CallFunction },
            };
        }

        private Dictionary<string, Func<Parameters, JObject>> MethodsOfSets()
        {
            return new Dictionary<string, Func<Parameters, JObject>>
            {
                { "set.new", given => Done(() => sets[given.Name("set")] = library.NewSet()) },
                {
                    "set.create",
                    given => Code(library.Create(Set(given), given.NullableText("name"), given.Config("config")))
                },
                {
                    "set.create_ex",
                    given => Code(library.CreateEx(
                        Set(given), given.NullableText("instance"), given.NullableText("name"), given.Config("config")))
                },
                { "set.get_configuration", GetConfiguration },
                { "set.open_device", OpenDevice },
                { "set.close", given => Code(library.Close(Set(given))) },
                { "set.signal_abort", given => Code(library.SignalAbort(Set(given))) },
                {
                    "set.open_in_secondary",
                    given => Code(library.OpenInSecondary(Set(given), given.NullableText("name")))
                },
                {
                    "set.open_in_secondary_ex",
                    given => Code(library.OpenInSecondaryEx(
                        Set(given), given.NullableText("instance"), given.NullableText("name")))
                },
                { "set.get_buffer_handle", GetBufferHandle },
                { "set.map_buffer_handle", MapBufferHandle },
                { "set.release", given => Done(() => library.ReleaseSet(Set(given))) },
            };
        }

        private Dictionary<string, Func<Parameters, JObject>> MethodsOfDevices()
        {
            return new Dictionary<string, Func<Parameters, JObject>>
            {
                { "device.get_command", GetCommand },
                { "device.complete_command", CompleteCommand },
                { "device.release", given => Done(() => library.ReleaseDevice(Device(given))) },
            };
        }

        private Dictionary<string, Func<Parameters, JObject>> MethodsOfMemory()
        {
            return new Dictionary<string, Func<Parameters, JObject>>
            {
                { "memory.allocate", given => Address(Memory.Allocate(given.Size("size", 1, long.MaxValue))) },
                {
                    "memory.reserve",
                    given => Address(Memory.Reserve(
                        given.Size("size", 1, long.MaxValue), given.OptionalUInt64("address")))
                },
                { "memory.read", ReadMemory },
                {
                    "memory.write",
                    given => Done(() => Memory.Write(given.UInt64("address"), given.Bytes("data", MostCopied)))
                },
                {
                    "memory.fill",
                    given => Done(() => Memory.Fill(given.UInt64("address"), Size(given), given.Digits("seed")))
                },
                { "memory.digest", given => Digest(Memory.Digest(given.UInt64("address"), Size(given))) },
                { "memory.save", given => Digest(CopyToOrFromFile(given, Memory.Save)) },
                { "memory.load", given => Digest(CopyToOrFromFile(given, Memory.Load)) },
                { "memory.outside_addresses", OutsideAddresses },
            };
        }

        private JObject Initialize(Parameters given)
        {
            string spoken = given.Text("protocol");
            if (spoken.Split('.')[0] != Major)
            {
                string sentence = "this host speaks version " + ProtocolVersion + " of the protocol, not " + spoken;
                throw new Refused(ErrorCode.ProtocolNotSpoken, sentence);
            }
            if (library != null)
            {
                throw new Refused(ErrorCode.InvalidRequest, "initialize was sent already");
            }
            if (given.Name("role") != "client")
            {
                string sentence = "this host is a client alone: name a --server";
                throw new Refused(ErrorCode.ImplementationUnavailable, sentence);
            }
            library = new Library(path, given.Object("environment").Text("directory"));
            var identity = new JObject
            {
                { "name", Library.Name },
                { "version", Library.Version },
                { "vendor", Library.Vendor },
                { "library", path },
            };
            // What your library offers beyond what it must. What is declared must be served: a library without exported
            // functions that checks may call has no native_abi.
            var capabilities = new JObject { { "native_abi", "libsqlvdi" }, { "null_out_pointers", true } };
            return new JObject
            {
                { "protocol", ProtocolVersion },
                { "identity", identity },
                { "capabilities", capabilities },
                { "process", ThisProcess() },
                { "methods", new JArray(table.Keys) },
            };
        }

        private static JObject ThisProcess()
        {
            return new JObject
            {
                { "pid", Process.GetCurrentProcess().Id },
                { "pointer_bytes", IntPtr.Size },
                { "platform", Platform.Current.Name },
                { "own_layout", false },
            };
        }

        private JObject CallConcurrently(Parameters given)
        {
            var tasks = new Dictionary<string, Action>();
            foreach (JToken one in given.List("calls", 1, MostCalls))
            {
                var members = one as JObject;
                Request call = members == null ? null : Request.FromMembers(members);
                if (call == null || call.Label == null || tasks.ContainsKey(call.Label))
                {
                    throw new Refused(
                        ErrorCode.InvalidParams,
                        "each of the calls must be a request with a thread, and their threads must differ");
                }
                tasks[call.Label] = () => Perform(call);
            }
            return Done(() => labels.RunTogether(tasks));
        }

        private JObject FindSymbol(Parameters given)
        {
            ulong found = library.Symbol(given.Name("name"));
            return new JObject { { "address", found == 0 ? null : Hexadecimal.Of(found) } };
        }

        private JObject CallFunction(Parameters given)
        {
            ulong[] arguments = given.List("arguments", 0, MostArguments)
                .Select(argument => new Parameters((argument as JObject) ?? new JObject()).UInt64("value"))
                .ToArray();
            return Code(library.Call(given.UInt64("function"), arguments));
        }

        private JObject GetConfiguration(Parameters given)
        {
            Outcome<uint[]> outcome =
                library.GetConfiguration(Set(given), given.UInt32("timeout"), given.Flag("null_out"));
            return WithValue(outcome, "config", config =>
            {
                var members = new JObject();
                for (int index = 0; index < config.Length; index++)
                {
                    members[Library.ConfigMembers[index]] = config[index];
                }
                return members;
            });
        }

        // Whatever else than null a call leaves in the variable is a device, even after a failure.
        private JObject OpenDevice(Parameters given)
        {
            string id = given.Name("device");
            Outcome<ulong> outcome =
                library.OpenDevice(Set(given), given.NullableText("name"), given.Flag("null_out"));
            bool isOpened = outcome.HasValue && outcome.Value != 0;
            if (isOpened)
            {
                devices[id] = (IntPtr)(long)outcome.Value;
            }
            return new JObject { { "code", outcome.Code }, { "opened", isOpened } };
        }

        private JObject GetBufferHandle(Parameters given)
        {
            Outcome<uint> outcome =
                library.GetBufferHandle(Set(given), given.UInt64("address"), given.Flag("null_out"));
            return WithValue(outcome, "handle", handle => handle);
        }

        private JObject MapBufferHandle(Parameters given)
        {
            Outcome<ulong> outcome =
                library.MapBufferHandle(Set(given), given.UInt32("handle"), given.Flag("null_out"));
            return WithValue(outcome, "address", address => Hexadecimal.Of(address));
        }

        private JObject GetCommand(Parameters given)
        {
            Outcome<Command> outcome =
                library.GetCommand(Device(given), given.UInt32("timeout"), given.Flag("null_out"));
            return WithValue(outcome, "command", command => new JObject
            {
                { "address", Hexadecimal.Of(command.Address) },
                { "code", command.Record.Code },
                { "size", command.Record.Size },
                { "position", Hexadecimal.Of(command.Record.Position) },
                { "buffer", Hexadecimal.Of(command.Record.Buffer) },
            });
        }

        private JObject CompleteCommand(Parameters given)
        {
            return Code(library.CompleteCommand(
                Device(given),
                given.UInt64("command"),
                given.UInt32("completion_code"),
                given.UInt32("bytes_transferred"),
                given.UInt64("position")));
        }

        private static JObject ReadMemory(Parameters given)
        {
            byte[] data = Memory.Read(given.UInt64("address"), (int)given.Size("size", 0, MostCopied));
            return new JObject { { "data", Hexadecimal.Of(data) } };
        }

        private JObject OutsideAddresses(Parameters given)
        {
            return new JObject
            {
                { "stack", Hexadecimal.Of(outside.Stack) },
                { "heap", Hexadecimal.Of(outside.Heap) },
                { "data", Hexadecimal.Of(outside.Data) },
                { "unmapped", Hexadecimal.Of(outside.Unmapped) },
            };
        }

        private static byte[] CopyToOrFromFile(Parameters given, Func<ulong, long, string, long, byte[]> copy)
        {
            long offset = given.Size("offset", 0, long.MaxValue);
            return copy(given.UInt64("address"), Size(given), given.Text("path"), offset);
        }

        private IntPtr Set(Parameters given)
        {
            return Known(sets, "set", given.Name("set"));
        }

        private IntPtr Device(Parameters given)
        {
            return Known(devices, "device", given.Name("device"));
        }

        private static IntPtr Known(ConcurrentDictionary<string, IntPtr> objects, string kind, string id)
        {
            IntPtr found;
            if (!objects.TryGetValue(id, out found))
            {
                string sentence = "no " + kind + " is known by the id '" + id + "': one must have been made first";
                throw new Refused(ErrorCode.InvalidParams, sentence);
            }
            return found;
        }

        private static long Size(Parameters given)
        {
            return given.Size("size", 0, long.MaxValue);
        }

        private static JObject Done(Action action)
        {
            action();
            return new JObject();
        }

        private static JObject Code(uint code)
        {
            return new JObject { { "code", code } };
        }

        private static JObject WithValue<T>(Outcome<T> outcome, string name, Func<T, JToken> told)
        {
            JObject result = Code(outcome.Code);
            if (outcome.HasValue)
            {
                result[name] = told(outcome.Value);
            }
            return result;
        }

        private static JObject Address(ulong address)
        {
            return new JObject { { "address", Hexadecimal.Of(address) } };
        }

        private static JObject Digest(byte[] digest)
        {
            return new JObject { { "sha256", Hexadecimal.Of(digest) } };
        }
    }
}
