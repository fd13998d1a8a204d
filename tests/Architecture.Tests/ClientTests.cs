using System.Collections.Concurrent;
using System.Reflection;
using Bff.Requests;
using Bff.Upstreams;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Refit;

namespace Architecture.Tests;

/// <summary>Tests what the calls of the shipped hosts' typed clients put on the wire.</summary>
public sealed partial class ClientTests
{
    /// <summary>A service's cursor becomes part of the client's cursor, so its length is bounded.</summary>
    [Fact]
    public void Every_cursor_of_a_service_is_marked_as_one() =>
        Assert.Empty(
            from host in Source.Hosts
            from type in Source.Load(host).GetTypes()
            where type.Namespace == host + ".Upstreams"
            from member in type.GetProperties()
            where member.Name is "NextCursor" or "NextToken" && !member.IsDefined(typeof(ServiceCursorAttribute))
            select $"{host}: {type.Name}.{member.Name}"
        );

    private static readonly string[] Awkward =
    [
        "",
        ".",
        "..",
        "...",
        "/",
        "//",
        "../..",
        "a/../b",
        "a/b",
        "%2F",
        "%2f..",
        "%2E%2E",
        "%00",
        "\\",
        "..\\..",
        "?",
        "a?b=c",
        "#",
        "a#b",
        ";",
        "a;b",
        "&",
        "=",
        "+",
        " ",
        "\0",
        "\r\n",
        "\t",
        "\u007f",
        "\u0085",
        "\u2028",
        "\u202e",
        "\ud800",
        "\udc00",
        "x\ud800y",
        "\udc00\ud800",
        "\ufffd",
        "\ufffe",
        "é",
        "日本",
        "😀",
        "{id}",
        "}",
        "@",
        ":",
        "http://x/",
        "*",
        "'",
        new('a', 4096),
        new('é', 4096),
        new('/', 4096),
        string.Concat(Enumerable.Repeat("../", 1365)),
    ];

    public static TheoryData<string> Hosts => new(Source.Hosts);

    /// <summary>
    /// Whatever the values are, the service gets the template with each value as exactly one segment, or it gets no request.
    /// </summary>
    [Theory]
    [MemberData(nameof(Hosts))]
    public async Task Every_value_in_a_path_is_one_segment_or_the_call_is_not_made(string host)
    {
        await using var surroundings = await Surroundings.StartAsync();
        await using var service = new TargetRecorder();
        var addresses = new Dictionary<string, string?>();
        foreach (var (key, _) in surroundings.GatewaySettings.Where(s => AddressKey().IsMatch(s.Key)))
        {
            var upstream = key[..^"Address".Length];
            addresses[key] = service.Address.ToString();
            // One request per call on any machine: a second request would be taken for that of the next call.
            addresses[upstream + "Timeout"] = "00:01:00";
            addresses[upstream + "Retries"] = "0";
            addresses[upstream + "HedgeAfter"] = "00:01:00";
        }

        await using var running = RealHosts.Start(host, surroundings, addresses, "Development");
        var methods = Methods(host).ToList();

        var value = Gen.Frequency(
            (3, Gen.Elements(Awkward)),
            (1, from chars in Gen.ListOf(from c in Gen.Choose(0, char.MaxValue) select (char)c) select new string([.. chars]))
        );
        foreach (var method in methods)
        {
            var client = running.Services.GetRequiredService(method.DeclaringType!);
            var values = from list in Gen.ListOf(value, method.GetParameters().Length) select list.ToArray();
            Check.One(
                Config.QuickThrowOnFailure.WithMaxTest(Awkward.Length * 3),
                Prop.ForAll(values.ToArbitrary(), given => Holds(client, method, given, service.Targets).GetAwaiter().GetResult())
            );
        }

        Assert.Contains(methods, m => Template(m).Contains('{'));
    }

    /// <summary>
    /// Hosts neither write requests by hand nor add identity to them: their clients are lists of calls, which the composer makes.
    /// </summary>
    [Fact]
    public void No_host_writes_a_request_by_hand() =>
        Assert.DoesNotContain(Source.Hosts.SelectMany(h => Source.Files("src/" + h)), f => ByHand().IsMatch(File.ReadAllText(f)));

    private static IEnumerable<MethodInfo> Methods(string host) =>
        Source
            .Load(host)
            .GetTypes()
            .Where(t => t.IsInterface)
            .SelectMany(t => t.GetMethods())
            .Where(m =>
                m.GetCustomAttribute<HttpMethodAttribute>() is not null
                && m.ReturnType.IsGenericType
                && (
                    m.ReturnType.GetGenericTypeDefinition() == typeof(UpstreamCall<>)
                    || m.ReturnType.GetGenericTypeDefinition() == typeof(UpstreamWrite<>)
                )
            );

    private static string Template(MethodInfo method) => method.GetCustomAttribute<HttpMethodAttribute>()!.Path;

    private static async Task<bool> Holds(object client, MethodInfo method, string[] values, ConcurrentQueue<string> targets)
    {
        targets.Clear();
        var template = Template(method).Split('?')[0].Split('/');
        var inPath = method.GetParameters().Select(p => Array.IndexOf(template, $"{{{p.Name}}}")).ToArray();
        var arguments = method.GetParameters().Select((p, i) => inPath[i] >= 0 ? values[i] : Any(p.ParameterType)).ToArray();
        var (outcome, status) = await Make(method.Invoke(client, arguments)!);

        var isPlain = values
            .Where((_, i) => inPath[i] >= 0)
            .All(v => v is not ("" or "." or "..") && !v.Contains('\ufffd', StringComparison.Ordinal) && IsText(v));
        if (!targets.TryDequeue(out var target))
        {
            return !isPlain && (outcome, status) == (UpstreamOutcome.NotFound, 404); // Such a value names nothing.
        }

        var sent = target.Split('?')[0].Split('/');
        return isPlain
            && targets.IsEmpty
            && sent.Length == template.Length
            && Enumerable
                .Range(0, sent.Length)
                .All(i =>
                    Array.IndexOf(inPath, i) is >= 0 and var p ? Uri.UnescapeDataString(sent[i]) == values[p] : sent[i] == template[i]
                );
    }

    private static object? Any(Type type) =>
        type == typeof(string) ? "any"
        : type == typeof(ReadOnlyMemory<byte>) ? (ReadOnlyMemory<byte>)"{}"u8.ToArray()
        : type.IsValueType ? Activator.CreateInstance(type)
        : type.IsGenericType && type.IsInterface ? Array.CreateInstance(type.GetGenericArguments()[0], 0)
        : type.GetConstructors()[0] is var constructor
            ? constructor.Invoke([.. constructor.GetParameters().Select(p => Any(p.ParameterType))])
        : null;

    /// <summary>Whether the value is text; half a surrogate pair is not.</summary>
    private static bool IsText(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (char.IsSurrogate(value[i]) && !(char.IsHighSurrogate(value[i]) && i + 1 < value.Length && char.IsLowSurrogate(value[++i])))
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<(UpstreamOutcome Outcome, int Status)> Make(object call)
    {
        var request = new BffRequest
        {
            RequestId = "r",
            CorrelationId = "c",
            StartTimestamp = 0,
        };
        var making = call.GetType().GetMethod("For")!.Invoke(call, [request, TimeSpan.FromSeconds(60), CancellationToken.None])!;
        var made = (Task)making.GetType().GetMethod("AsTask")!.Invoke(making, null)!;
        await made;
        var answer = made.GetType().GetProperty("Result")!.GetValue(made)!;
        return (
            (UpstreamOutcome)answer.GetType().GetProperty("Outcome")!.GetValue(answer)!,
            (int)answer.GetType().GetProperty("Status")!.GetValue(answer)!
        );
    }

    [System.Text.RegularExpressions.GeneratedRegex("^Upstreams:[^:]+:Address$")]
    private static partial System.Text.RegularExpressions.Regex AddressKey();

    [System.Text.RegularExpressions.GeneratedRegex(@"\b(HttpRequestMessage|CallContext|PathSegment)\b")]
    private static partial System.Text.RegularExpressions.Regex ByHand();
}
