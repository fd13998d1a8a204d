using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MobileBff.Tests.Golden;

/// <summary>
/// Compares whole answers with the files beside this one. Set <c>BFF_UPDATE_GOLDEN=1</c> to rewrite the files, and review the difference
/// before committing it.
/// </summary>
public sealed partial class GoldenTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Theory]
    [InlineData("home-feed", "/home-feed", null)]
    [InlineData("home-feed-without-picks", "/home-feed", "recommendations")]
    [InlineData("orders", "/orders?limit=2", null)]
    [InlineData("product", "/products/p-1", null)]
    [InlineData("product-without-price", "/products/p-1", "pricing")]
    [InlineData("search", "/search?q=shoe&limit=2", null)]
    [InlineData("sync", "/sync?limit=2", null)]
    [InlineData("me", "/me", null)]
    [InlineData("order-not-found", "/orders/o-none", null)]
    public async Task The_answer_is_as_promised(string name, string path, string? broken)
    {
        var host = Start();
        if (broken is not null)
        {
            Upstream[broken].Faults.Set(FaultMode.Status);
        }

        var answer = await Json(await host.Get(path));
        var text = Volatile().Replace(answer.ToJsonString(Readable), "$1\"…\"") + "\n";

        var file = Checkout.At("tests/MobileBff.Tests/Golden", name + ".json");
        if (Environment.GetEnvironmentVariable("BFF_UPDATE_GOLDEN") == "1")
        {
            await File.WriteAllTextAsync(file, text);
        }

        Assert.Equal(await File.ReadAllTextAsync(file), text);
    }

    // Values that differ from run to run.
    [GeneratedRegex("""("(?:totalLatencyMs|next|requestId|traceId|type)": )(?:"[^"]*"|\d+)""")]
    private static partial Regex Volatile();
}
