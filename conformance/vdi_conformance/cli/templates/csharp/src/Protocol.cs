// The messages: a request and its parameters, an answer, and what a request can be refused with.
using System;
using System.Globalization;
using System.IO;
using System.Text;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace VdiHost
{
    internal static class ErrorCode
    {
        public const int ParseError = -32700;
        public const int InvalidRequest = -32600;
        public const int MethodNotFound = -32601;
        public const int InvalidParams = -32602;
        public const int AdapterRaised = -32000;
        public const int ProtocolNotSpoken = -32002;
        public const int MemoryFault = -32003;
        public const int ImplementationUnavailable = -32004;
    }

    // Why a request is not obeyed: a code, and one sentence. The id is known where the request could not be read.
    internal sealed class Refused : Exception
    {
        public readonly int Code;
        public readonly JToken Id;

        public Refused(int code, string sentence, JToken id = null)
            : base(sentence)
        {
            Code = code;
            Id = id;
        }
    }

    // One request; those with the same label run in order on one thread.
    internal sealed class Request
    {
        public readonly JToken Id;
        public readonly string Method;
        public readonly string Label;
        public readonly Parameters Parameters;

        private static readonly Encoding Utf8 = new UTF8Encoding(false, true);

        private Request(JToken id, string method, JObject given)
        {
            Id = id;
            Method = method;
            Parameters = new Parameters(given);
            Label = Parameters.OptionalName("thread");
        }

        public static Request Read(byte[] line)
        {
            var message = Parsed(line) as JObject;
            JToken id = message?["id"];
            if (message == null || !Is(message["jsonrpc"], "2.0") || !(IsWhole(id) || IsText(id)))
            {
                throw new Refused(ErrorCode.InvalidRequest, "a request is a JSON-RPC 2.0 object with an id");
            }
            try
            {
                return FromMembers(message);
            }
            catch (Refused refused)
            {
                throw new Refused(refused.Code, refused.Message, id);
            }
        }

        // Take id, method and params out of an object.
        public static Request FromMembers(JObject message)
        {
            var given = (message["params"] ?? new JObject()) as JObject;
            if (!IsText(message["method"]) || given == null)
            {
                throw new Refused(ErrorCode.InvalidRequest, "a request has a method and an object of parameters");
            }
            return new Request(message["id"], (string)message["method"], given);
        }

        public static bool IsWhole(JToken token)
        {
            return token != null && token.Type == JTokenType.Integer;
        }

        public static bool IsText(JToken token)
        {
            return token != null && token.Type == JTokenType.String;
        }

        private static bool Is(JToken token, string text)
        {
            return IsText(token) && (string)token == text;
        }

        // A text that looks like a date stays a text, and whole numbers keep all their digits.
        private static JToken Parsed(byte[] line)
        {
            try
            {
                using (var reader = new JsonTextReader(new StringReader(Utf8.GetString(line))))
                {
                    reader.DateParseHandling = DateParseHandling.None;
                    JToken read = JToken.ReadFrom(reader);
                    if (!reader.Read())
                    {
                        return read;
                    }
                }
            }
            catch (JsonException)
            {
            }
            catch (ArgumentException)
            {
            }
            throw new Refused(ErrorCode.ParseError, "the line is not JSON");
        }
    }

    // The parameters of a request, each read as what it must be.
    internal sealed class Parameters
    {
        private readonly JObject given;

        public Parameters(JObject given)
        {
            this.given = given;
        }

        public JToken Value(string key)
        {
            JToken found = given[key];
            if (found == null)
            {
                throw new Refused(ErrorCode.InvalidParams, "the parameter '" + key + "' is missing");
            }
            return found;
        }

        public Parameters Object(string key)
        {
            var found = Value(key) as JObject;
            if (found == null)
            {
                throw Wrong(key, "an object");
            }
            return new Parameters(found);
        }

        public string Text(string key)
        {
            JToken found = Value(key);
            if (!Request.IsText(found))
            {
                throw Wrong(key, "a string");
            }
            return (string)found;
        }

        public string Name(string key)
        {
            string found = Text(key);
            if (found.Length == 0)
            {
                throw Wrong(key, "a string that is not empty");
            }
            return found;
        }

        public string OptionalName(string key)
        {
            return IsGiven(key) ? Name(key) : null;
        }

        public string NullableText(string key)
        {
            return Value(key).Type == JTokenType.Null ? null : Text(key);
        }

        public uint UInt32(string key)
        {
            return AsUInt32(key, Value(key));
        }

        // An address, or another number of 64 bits.
        public ulong UInt64(string key)
        {
            string text = Text(key);
            ulong number = 0;
            bool fits = text.StartsWith("0x", StringComparison.Ordinal) && ulong.TryParse(
                text.Substring(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
            if (!fits)
            {
                throw Wrong(key, "a number like \"0x7f00\"");
            }
            return number;
        }

        public ulong OptionalUInt64(string key)
        {
            return IsGiven(key) ? UInt64(key) : 0;
        }

        // A number of bytes.
        public long Size(string key, long least, long most)
        {
            object found = ((Value(key) as JValue) ?? new JValue("")).Value;
            if (!(found is long) || (long)found < least || (long)found > most)
            {
                throw Wrong(key, "a number of bytes from " + least + " to " + most);
            }
            return (long)found;
        }

        // The decimal digits of a whole number.
        public string Digits(string key)
        {
            JToken found = Value(key);
            if (!Request.IsWhole(found))
            {
                throw Wrong(key, "a whole number of up to 64 bits");
            }
            return Convert.ToString(((JValue)found).Value, CultureInfo.InvariantCulture);
        }

        public bool Flag(string key)
        {
            if (!IsGiven(key))
            {
                return false;
            }
            if (Value(key).Type != JTokenType.Boolean)
            {
                throw Wrong(key, "true or false");
            }
            return (bool)Value(key);
        }

        public byte[] Bytes(string key, int most)
        {
            string text = Text(key);
            if (text.Length % 2 != 0 || text.Length > 2 * most)
            {
                throw Wrong(key, "up to " + most + " bytes in hexadecimal");
            }
            var bytes = new byte[text.Length / 2];
            for (int index = 0; index < bytes.Length; index++)
            {
                string pair = text.Substring(2 * index, 2);
                if (!byte.TryParse(
                    pair, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[index]))
                {
                    throw Wrong(key, "up to " + most + " bytes in hexadecimal");
                }
            }
            return bytes;
        }

        // The members of VDConfig, or null.
        public uint[] Config(string key)
        {
            if (Value(key).Type == JTokenType.Null)
            {
                return null;
            }
            Parameters members = Object(key);
            return Array.ConvertAll(Library.ConfigMembers, members.UInt32);
        }

        public JArray List(string key, int least, int most)
        {
            var found = Value(key) as JArray;
            if (found == null || found.Count < least || found.Count > most)
            {
                throw Wrong(key, "a list of " + least + " to " + most + " values");
            }
            return found;
        }

        private bool IsGiven(string key)
        {
            return given[key] != null && given[key].Type != JTokenType.Null;
        }

        private static uint AsUInt32(string key, JToken token)
        {
            object found = ((token as JValue) ?? new JValue("")).Value;
            if (!(found is long) || (long)found < 0 || (long)found > uint.MaxValue)
            {
                throw Wrong(key, "an unsigned 32-bit number");
            }
            return (uint)(long)found;
        }

        private static Refused Wrong(string key, string wanted)
        {
            return new Refused(ErrorCode.InvalidParams, "the parameter '" + key + "' must be " + wanted);
        }
    }

    // How numbers and bytes are written.
    internal static class Hexadecimal
    {
        public static string Of(ulong number)
        {
            return "0x" + number.ToString("x", CultureInfo.InvariantCulture);
        }

        public static string Of(byte[] bytes)
        {
            return BitConverter.ToString(bytes).Replace("-", "").ToLowerInvariant();
        }
    }

    // The way out: whole lines, whichever thread has one.
    internal sealed class Answers
    {
        private static readonly Encoding Utf8 = new UTF8Encoding(false);

        private readonly object gate = new object();
        private readonly IOutput output = Platform.Current.TakeStandardOutput();

        public void Write(JToken id, JObject result)
        {
            Write(Answer(id, "result", result));
        }

        public void Write(JToken id, Refused refused)
        {
            var error = new JObject { { "code", refused.Code }, { "message", refused.Message } };
            Write(Answer(id, "error", error));
        }

        private static JObject Answer(JToken id, string kind, JObject value)
        {
            return new JObject { { "jsonrpc", "2.0" }, { "id", id ?? JValue.CreateNull() }, { kind, value } };
        }

        private void Write(JObject answer)
        {
            byte[] line = Utf8.GetBytes(answer.ToString(Formatting.None) + "\n");
            lock (gate)
            {
                if (!output.Write(line))
                {
                    // Nobody reads any more.
                    Platform.Current.EndProcess();
                }
            }
        }
    }
}
