using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Bff.TestKit;

/// <summary>A service whose every answer is an empty page with a cursor that no client could bring back.</summary>
public static class UnusableCursors
{
    /// <summary>Too long in characters, too long in bytes alone, and with control characters.</summary>
    public static IReadOnlyList<string> All { get; } = [new('x', 2049), new('\u00fc', 1025), "a\r\nSet-Cookie: b", "a\u007f"];

    /// <summary>The service; it gives the cursor that <paramref name="current"/> names.</summary>
    /// <param name="member">What the service calls its cursor.</param>
    /// <param name="current">Asked at each request.</param>
    /// <param name="also">More members of the document.</param>
    public static Task<TestHost> Serve(string member, Func<string?> current, JsonObject? also = null) =>
        TestHost.Start(
            _ => { },
            app =>
                app.Run(context =>
                {
                    var page = also?.DeepClone().AsObject() ?? [];
                    page["items"] = new JsonArray();
                    page[member] = current();
                    context.Response.ContentType = "application/json";
                    return context.Response.WriteAsync(page.ToJsonString());
                })
        );
}
