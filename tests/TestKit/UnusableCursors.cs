using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Bff.TestKit;

/// <summary>A service whose every answer is an empty page with a cursor that no client could send back.</summary>
public static class UnusableCursors
{
    /// <summary>Cursors that are too long in characters, too long only in bytes, or contain control characters.</summary>
    public static IReadOnlyList<string> All { get; } = [new('x', 2049), new('\u00fc', 1025), "a\r\nSet-Cookie: b", "a\u007f"];

    /// <summary>Starts the service, which returns the cursor from <paramref name="current"/>.</summary>
    /// <param name="member">Name of the service's member for the cursor.</param>
    /// <param name="current">Called at each request.</param>
    /// <param name="also">Further members of the document.</param>
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
