using System.Diagnostics;

namespace PartnerBff.Tests.Webhooks;

public sealed class StandardWebhooksTests(SharedSurroundings surroundings) : WebhookTest(surroundings)
{
    [NodeFact]
    public async Task The_independent_implementation_verifies_what_is_sent_and_refuses_what_was_changed()
    {
        await using var receiver = await Receiver.Start();
        var host = StartForWebhooks();
        var endpoint = await Create(host, receiver.Url);
        await Json(await Send(host, HttpMethod.Post, $"/v1/webhook-endpoints/{endpoint["id"]}/rotate-secret", AcmeKey), 200);
        await Publish(host, "acme", "order.shipped", 42);
        await Until(() => receiver.All.Count == 1);
        var received = receiver.All.Single();

        var folder = Directory.CreateTempSubdirectory("bff-webhooks-").FullName;
        try
        {
            await Run(folder, "npm", "install", "--no-audit", "--no-fund", "standardwebhooks@1.0.0");
            await File.WriteAllTextAsync(
                Path.Combine(folder, "input.json"),
                new JsonObject
                {
                    ["secret"] = (string)endpoint["secret"]!,
                    ["body"] = received.Body,
                    ["id"] = received.Id,
                    ["time"] = received.Timestamp,
                    ["signature"] = received.Signature,
                }.ToJsonString()
            );
            await File.WriteAllTextAsync(
                Path.Combine(folder, "verify.js"),
                """
                const { Webhook } = require('standardwebhooks');
                const i = JSON.parse(require('fs').readFileSync('input.json', 'utf8'));
                const headers = { 'webhook-id': i.id, 'webhook-timestamp': i.time, 'webhook-signature': i.signature };
                const hook = new Webhook(i.secret);
                const payload = hook.verify(i.body, headers);
                let refused = false;
                try { hook.verify(i.body.replace('42', '43'), headers); } catch { refused = true; }
                console.log(JSON.stringify({ n: payload.data.n, refused }));
                """
            );
            Assert.Equal("""{"n":42,"refused":true}""", (await Run(folder, "node", "verify.js")).Trim());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> Run(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var timeLimit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(timeLimit.Token);
        Assert.True(process.ExitCode == 0, $"{program}: {await errors}");
        return await output;
    }
}
