using System.Text.Json;
using Bff.BrowserKit;
using Bff.TestKit.Calls;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace WebBff.Tests.Calls;

/// <summary>Speaks gRPC-Web from a page in a real browser.</summary>
public sealed class GrpcWebBrowserTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    /// <summary>
    /// Makes a call, reads the requested number of messages or all of them, and returns what arrived. Text is decoded in groups of four
    /// characters because padding may occur anywhere in it.
    /// </summary>
    private const string Call = """
        async ({ url, form, headers, message, stopAfter }) => {
            const said = Uint8Array.from(atob(message), c => c.charCodeAt(0));
            const frame = new Uint8Array(5 + said.length);
            new DataView(frame.buffer).setUint32(1, said.length);
            frame.set(said, 5);
            const isText = form.startsWith('application/grpc-web-text');
            const answer = await fetch(url, {
                method: 'POST', credentials: 'include', body: isText ? btoa(String.fromCharCode(...frame)) : frame,
                headers: { 'content-type': form, accept: form, 'x-grpc-web': '1', 'x-user-agent': 'grpc-web-javascript/0.1', ...headers },
            });
            const reader = answer.body.getReader();
            const [messages, bytes] = [[], []];
            let [rest, trailers] = ['', null];
            while (messages.length < stopAfter) {
                const { value, done } = await reader.read();
                if (done) break;
                if (isText) {
                    rest += String.fromCharCode(...value);
                    while (rest.length >= 4) {
                        bytes.push(...Array.from(atob(rest.slice(0, 4)), c => c.charCodeAt(0)));
                        rest = rest.slice(4);
                    }
                } else bytes.push(...value);
                for (let length; bytes.length >= 5 && bytes.length >= 5 + (length = bytes[1] * 16777216 + bytes[2] * 65536 + bytes[3] * 256 + bytes[4]);) {
                    const [head, ...piece] = bytes.splice(0, 5 + length).filter((_, i) => i === 0 || i >= 5);
                    const text = String.fromCharCode(...piece);
                    if (head === 0x80) trailers = text; else messages.push(btoa(text));
                }
            }
            reader.cancel();
            return { status: answer.status, type: answer.headers.get('content-type'), exposed: answer.headers.get('x-request-id'), messages, trailers };
        }
        """;

    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    [ChromiumFact]
    public async Task A_signed_in_page_calls_with_its_cookie_and_the_CSRF_header()
    {
        await using var service = await TalkHost.Start();
        var host = Start(Routes(service));
        await using var chromium = await Chromium.Start(host);
        await chromium.Page.GotoAsync("/");
        await chromium.Page.Locator("main a.primary").ClickAsync();
        await chromium.Choose("Alice");
        await Expect(chromium.Page.Locator("main h1")).ToHaveTextAsync("Good to see you, Alice");

        foreach (var form in (string[])["application/grpc-web+proto", "application/grpc-web-text"])
        {
            var once = await Ask(chromium.Page, "/api/bff.test.v1.Talk/Once", form, new() { Text = "hello" }, ("x-csrf", "1"));
            Assert.Equal(
                (200, form, "hello"),
                (once.Status, once.Type, Said.Parser.ParseFrom(Convert.FromBase64String(Assert.Single(once.Messages))).Text)
            );
            Assert.Contains("grpc-status: 0\r\n", once.Trailers, StringComparison.Ordinal);
            Assert.Equal("u-1001", service.Last().Headers.GetValue("x-user-id"));

            // The service sends nothing more and does not end the stream, but the messages so far have been forwarded.
            var listen = await Ask(
                chromium.Page,
                "/api/bff.test.v1.Talk/Listen",
                form,
                new() { Text = "silent", Times = 3 },
                3,
                ("x-csrf", "1")
            );
            Assert.Equal([0, 1, 2], listen.Messages.Select(m => Said.Parser.ParseFrom(Convert.FromBase64String(m)).Times));
            Assert.True(await service.Last().Ended.WaitAsync(WaitLimit));

            var failed = await Ask(chromium.Page, "/api/bff.test.v1.Talk/Once", form, new() { Text = "status 5" }, ("x-csrf", "1"));
            Assert.Contains("grpc-status: 5\r\n", failed.Trailers, StringComparison.Ordinal);

            var asked = service.Calls.Count;
            var unmeant = await Ask(chromium.Page, "/api/bff.test.v1.Talk/Once", form, new() { Text = "hello" });
            Assert.Equal((200, form), (unmeant.Status, unmeant.Type));
            Assert.Contains("grpc-status: 7\r\ngrpc-message: csrf_rejected", unmeant.Trailers, StringComparison.Ordinal);
            Assert.Equal(asked, service.Calls.Count);
        }

        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task A_page_of_a_configured_origin_reads_answers_and_refusals_and_another_does_not()
    {
        await using var service = await TalkHost.Start();
        await using var friend = await TestHost.Start(_ => { }, Page);
        await using var stranger = await TestHost.Start(_ => { }, Page);
        var host = Start(
            Routes(service).With(new Dictionary<string, string?> { ["Cors:Origins:0"] = friend.Address.GetLeftPart(UriPartial.Authority) })
        );
        await using var chromium = await Chromium.Start(host);
        var url = host.Address + "api/bff.test.v1.Talk/Once";
        var bearer = ("authorization", "Bearer " + Surroundings.Token());

        await chromium.Page.GotoAsync(friend.Address.ToString());
        foreach (var form in (string[])["application/grpc-web+proto", "application/grpc-web-text+proto"])
        {
            var once = await Ask(chromium.Page, url, form, new() { Text = "hello" }, bearer, ("grpc-timeout", "10S"));
            Assert.Equal((200, form), (once.Status, once.Type));
            Assert.NotNull(once.Exposed);
            Assert.Single(once.Messages);
            Assert.NotNull(service.Last().Left);

            var refused = await Ask(chromium.Page, url, form, new() { Text = "hello" });
            Assert.Contains("grpc-status: 16\r\ngrpc-message: missing_token", refused.Trailers, StringComparison.Ordinal);
        }

        await chromium.Page.GotoAsync(stranger.Address.ToString());
        await Assert.ThrowsAsync<PlaywrightException>(() =>
            Ask(chromium.Page, url, "application/grpc-web+proto", new() { Text = "hello" }, bearer)
        );
        Assert.Equal(2, service.Calls.Count);

        static void Page(WebApplication app) =>
            app.Run(context =>
            {
                context.Response.ContentType = "text/html";
                return context.Response.WriteAsync("<!doctype html><title>A page</title><link rel=icon href=data:,>");
            });
    }

    private static Dictionary<string, string?> Routes(TalkHost service) =>
        new()
        {
            ["Upstreams:talk:Address"] = service.Address.ToString(),
            ["Upstreams:talk:Timeout"] = "00:01:00",
            ["ReverseProxy:Routes:talk:ClusterId"] = "talk",
            ["ReverseProxy:Routes:talk:Match:Path"] = "/api/bff.test.v1.Talk/{method}",
            ["ReverseProxy:Routes:talk:Metadata:Scope"] = "api",
            ["ReverseProxy:Routes:talk:Metadata:Protocol"] = "grpc",
            ["ReverseProxy:Routes:talk:Metadata:GrpcWeb"] = "true",
            ["ReverseProxy:Routes:talk:Transforms:0:PathRemovePrefix"] = "/api",
        };

    private static Task<Heard> Ask(IPage page, string url, string form, Said said, params (string Name, string Value)[] headers) =>
        Ask(page, url, form, said, 1000, headers);

    private static async Task<Heard> Ask(
        IPage page,
        string url,
        string form,
        Said said,
        int stopAfter,
        params (string Name, string Value)[] headers
    )
    {
        var heard = await page.EvaluateAsync<JsonElement>(
            Call,
            new
            {
                url,
                form,
                headers = headers.ToDictionary(h => h.Name, h => h.Value),
                message = Convert.ToBase64String(said.ToByteArray()),
                stopAfter,
            }
        );
        return heard.Deserialize<Heard>(Web)!;
    }

    private sealed record Heard(int Status, string Type, string? Exposed, string[] Messages, string? Trailers);
}
